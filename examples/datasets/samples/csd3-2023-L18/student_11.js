var snowman = createSprite(200, 250);
snowman.setAnimation("snowman");
var flake = createSprite(100, 0);
flake.setAnimation("snowflake");
function draw() {
  background("skyblue");
  flake.y = flake.y + 3;
  if (flake.y > 400 {
    flake.y = 0;
    flake.x = randomNumber(0, 400);
  }
  if (keyDown("left")) {
    snowman.x = snowman.x - 3;
  }
  if (keyDown("right")) {
    snowman.x = snowman.x + 3;
  }
  drawSprites();
}
