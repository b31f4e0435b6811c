var bg = createSprite(200, 200);
bg.setAnimation("undersea");
var diver = createSprite(100, 200);
diver.setAnimation("diver");
var coin = createSprite(400, randomNumber(50, 350));
coin.setAnimation("coin");
coin.velocityX = -3;
var jelly = createSprite(450, 100);
jelly.setAnimation("jellyfish");
jelly.velocityX = -2;
jelly.velocityY = 1;
var points = 0;
var lives = 3;

function draw() {
  // controls
  if (keyDown("up")) {
    diver.y -= 4;
  }
  if (keyDown("down")) {
    diver.y += 4;
  }
  // coin
  if (coin.x < -10) {
    coin.x = 410;
    coin.y = randomNumber(50, 350);
  }
  if (diver.isTouching(coin)) {
    points++;
    coin.x = 410;
    coin.y = randomNumber(50, 350);
  }
  // jelly
  if (jelly.y > 350 || jelly.y < 50) {
    jelly.velocityY = jelly.velocityY * -1;
  }
  if (jelly.x < -20) {
    jelly.x = 450;
  }
  if (diver.isTouching(jelly)) {
    lives = lives - 1;
    jelly.x = 450;
  }
  drawSprites();
  if (lives <= 0) {
    background("darkblue");
    text("game over", 160, 200);
  }
  text("points " + points + "   lives " + lives, 10, 20);
}
