"""The agents API end to end: a running server before an upstream in the place of Chutes and OpenAI."""
