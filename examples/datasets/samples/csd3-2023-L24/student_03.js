function draw() {
  background("green");
  drawSprites();
}
