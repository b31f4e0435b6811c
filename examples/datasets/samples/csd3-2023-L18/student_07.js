var x;
var bug = createSprite(20, 20);
bug.setAnimation("bug");
var leaf = createSprite(200, 200);
leaf.setAnimation("leaf");
var flower = createSprite(320, 320);
flower.setAnimation("flower");
x = 0;

function draw() {
  background("white");
  x++;
  bug.x += 2;
  bug.y += 1;
  if (bug.x > 400) bug.x = 0;
  if (bug.y > 400) bug.y = 0;
  if (x > 100) flower.scale = 1.5;
  drawSprites();
}
