var frog = createSprite(200, 300);
frog.setAnimation("frog");
var fly = createSprite(420, 100);
fly.setAnimation("fly");

function draw() {
  background("lightgreen");
  fly.x = fly.x - 3;
  if (fly.x < -20) {
    fly.x = 420;
  }
  drawSprites();
}
