background("orange");
fill("brown");
rect(0, 300, 400, 100);
var camel = createSprite(200, 270);
camel.setAnimation("camel");
drawSprites();
text("desert", 180, 40);
