var kite = createSprite(200, 300);
kite.setAnimation("kite");

function draw() {
  background("lightblue");
  kite.y = kite.y - 1;
  if (keyDown("space")) {
    kite.y = 300;
  }
  drawSprites();
}
