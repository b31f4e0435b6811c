background(rgb(12, 20, 60));
noStroke();
fill("white");
ellipse(60, 60, 4, 4);
ellipse(160, 30, 4, 4);
ellipse(260, 90, 5, 5);
ellipse(340, 40, 3, 3);
fill("gray");
rect(0, 320, 400, 80);
var sprite = createSprite(200, 280);
sprite.setAnimation("rocket");
drawSprites();
fill("white")
text("3 2 1 go", 180, 380);
