var s1 = createSprite(100, 100);
s1.setAnimation("heart");
var s2 = createSprite(200, 100);
s2.setAnimation("heart");
var s3 = createSprite(300, 100);
s3.setAnimation("heart");
var s4 = createSprite(200, 250);
s4.setAnimation("arrow");
function draw() {
  background("white");
  // s1.x = s1.x + 1;
  // if (keyDown("up")) { s4.y = s4.y - 1; }
  ellipse(200, 380, 300, 20);
  text("be my valentine", 150, 350);
  drawSprites();
}
