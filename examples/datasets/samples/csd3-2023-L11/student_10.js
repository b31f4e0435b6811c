//aquarium
background("darkblue");
fill("tan");
rect(0, 350, 400, 50);
fill("green");
rect(50, 250, 10, 100);
rect(80, 270, 10, 80);
fill("pink");
ellipse(310, 350, 60, 30);

var fish1 = createSprite(100, 100);
fish1.setAnimation("fishA");
var fish2 = createSprite(250, 160);
fish2.setAnimation("fishB");
var shark = createSprite(300, 250);
shark.setAnimation("shark");
shark.scale = .7;
drawSprites();

fill("white");
textSize(30);
text("My Aquarium", 105, 40);
text("blub", 262, 140);
