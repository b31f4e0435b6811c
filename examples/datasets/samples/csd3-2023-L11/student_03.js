background("lightblue");
