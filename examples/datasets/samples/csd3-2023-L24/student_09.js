var a = createSprite(50, 50);
a.setAnimation("alien");
var b = createSprite(150, 50);
b.setAnimation("alien");
var c = createSprite(250, 50);
c.setAnimation("alien");
var d = createSprite(350, 50);
d.setAnimation("alien");
var e = createSprite(200, 370);
e.setAnimation("ship");

function draw() {
  background("black");
  drawSprites();
}
