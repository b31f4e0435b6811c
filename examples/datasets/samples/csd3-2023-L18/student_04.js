var card = createSprite(200, 200);
card.setAnimation("cake");

function draw() {
  background("white");
  if (keyDown("space")) {
    card.scale = 2;
  }
  drawSprites();
}
