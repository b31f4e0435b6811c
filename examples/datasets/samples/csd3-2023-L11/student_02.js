// my scene
// TODO draw the sky
