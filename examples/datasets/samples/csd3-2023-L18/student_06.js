// Get well card
var balloon = createSprite(200, 380);
balloon.setAnimation("balloon_red");
balloon.scale = 0.5;
var bear = createSprite(200, 300);
bear.setAnimation("bear");

function draw() {
  background("lightblue");
  balloon.y = balloon.y - 2;
  if (balloon.y < -50) {
    balloon.y = 450;
  }
  if (mousePressedOver(bear)) {
    bear.setAnimation("bear_waving");
  }
  drawSprites();
  textSize(25);
  text("Get well soon!", 110, 60);
}
