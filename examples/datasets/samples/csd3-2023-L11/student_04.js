background("green");
rect(100, 100, 50, 50);
text("hi", 20, 20);
