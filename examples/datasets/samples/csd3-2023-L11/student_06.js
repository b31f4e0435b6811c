// Beach by me
background("skyblue");
fill("yellow");
ellipse(350, 50, 70, 70);

var crab = createSprite(120, 330);
crab.setAnimation("crab_1");
crab.scale = 0.4;

var ball = createSprite(290, 310);
ball.setAnimation("beach_ball");
ball.scale = 0.3;

textSize(22);
text("A day at the beach", 90, 120);
drawSprites();
