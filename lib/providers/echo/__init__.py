"""The built-in provider: it answers offline, on every path, in the path's own dialect.

The reply is the text of the last message that a user or a tool sent (its text
parts, a line break between them), or the word `echo` when there is none.
A completion repeats its prompt, a transcription names the file and its size.
Where the system text holds a rubric (CSV with the column `Key Concept`), it is
a JSON array of labels drawn by a hash, unless the message has such a header.
A stream carries a word in each chunk, with the space that follows it.

Where a tool is forced by `tool_choice`, or by the knob `tool` unless a tool's
result was the last message, the answer is a call whose arguments are the
smallest that its schema allows; where JSON is asked for, the smallest instance
of that schema. `max_tokens`, `stop` and sampling change nothing. Embeddings
are unit vectors from a hash; moderations flag nothing; an image is one pixel,
PNG; speech is a quarter of a second of silence (mp3, wav or pcm).

Tokens are estimated: four characters of text a token, rounded up, for the
prompt (system text included; tools, images and files count nothing) and for
the reply; a KiB of sound is a token, an image one.

Knobs stand in the body's `echo` object (with the OpenAI SDK: `extra_body`; in
a form `echo[delay]`) or in the model's name: `echo/delay=0.5,chunks=20`.

    reply              the text of the answer, or a call's arguments; not in the name
    tool               the tool to call; `a+b` calls two
    delay              seconds before the head, up to 600
    chunks             content chunks of each text or call: words are shared out, or go round in a circle
    gap                seconds between chunks, up to 60
    silence            seconds of silence after the first chunk (whole answers: after the head)
    error              the HTTP status to fail with, 400 to 599; retry_after: its Retry-After in seconds
    error_after        chunks before an error event (of status `error` or 500) ends the stream
    cut                chunks before the connection is lost; a whole answer is lost half way
    usage              false: no usage is sent
    prompt_tokens      all of them, cached ones included
    completion_tokens  all of them, reasoning included
    cached_tokens, cache_write_tokens, reasoning_tokens
    finish_reason      in the dialect's own words

An unknown knob or a bad value is a 400 that names it. The same request gets
the same answer, identifiers included; only the time in it differs.
"""

from lib.providers.echo.provider import EchoProvider

__all__ = ["EchoProvider"]
