// monster dodge
var hero = createSprite(200, 350);
hero.setAnimation("hero");
var m1 = createSprite(50, -20);
m1.setAnimation("monster");
m1.velocityY = 3;
var m2 = createSprite(180, -120);
m2.setAnimation("monster");
m2.velocityY = 4;
var m3 = createSprite(320, -220);
m3.setAnimation("monster");
m3.velocityY = 5;
var health = 100;

function draw() {
  background("purple");
  // same three lines for each monster
  if (m1.y > 420) {
    m1.y = -20;
    m1.x = randomNumber(0, 400);
  }
  if (m2.y > 420) {
    m2.y = -20;
    m2.x = randomNumber(0, 400);
  }
  if (m3.y > 420) {
    m3.y = -20;
    m3.x = randomNumber(0, 400);
  }
  if (keyDown("left")) {
    hero.x = hero.x - 6;
  }
  if (keyDown("right")) {
    hero.x = hero.x + 6;
  }
  if (hero.isTouching(m1) || hero.isTouching(m2) || hero.isTouching(m3)) {
    health = health - 1;
  }
  drawSprites();
  fill("white");
  text("health: " + health, 20, 20);
}
