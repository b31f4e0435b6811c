var bird = createSprite(80, 200);
bird.setAnimation("bird");
var cloud = createSprite(450, 80);
cloud.setAnimation("cloud");
cloud.velocityX = -1;
var pipe = createSprite(420, 330);
pipe.setAnimation("pipe");
pipe.velocityX = -3;

function draw() {
  background("deepskyblue");
  bird.y = bird.y + 2;
  if (keyDown("space")) {
    bird.y = bird.y - 6;
  }
  if (pipe.x < -40) {
    pipe.x = 420;
  }
  if (cloud.x < -60) {
    cloud.x = 450;
  }
  drawSprites();
}
