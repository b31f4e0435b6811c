var s = createSprite(200, 200);
s.setAnimation("cat");
drawSprites();
background("blue");
