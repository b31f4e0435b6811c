var train = createSprite(100, 300);
train.setAnimation("train");
var hill = createSprite(450, 250);
hill.setAnimation("hill");

function draw() {
  hill.x = hill.x - 2;
  if (hill.x < -50) {
    hill.x = 450;
  }
  drawSprites();
}
