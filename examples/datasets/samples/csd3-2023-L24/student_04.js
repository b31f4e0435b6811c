var player = createSprite(200, 350);

function draw() {
  background("white");
  if (keyDown("left")) {
    player.x = player.x - 5;
  }
  if (keyDown("right")) {
    player.x = player.x + 5;
  }
  drawSprites();
}
