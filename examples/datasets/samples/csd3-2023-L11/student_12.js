/* City at night.
   Order: sky, moon, buildings, sprites, title. */
var groundY = 340;
var windowSize = 14;

background("midnightblue");
noStroke();
fill("lightyellow");
ellipse(330, 60, 60, 60);
fill("dimgray");
rect(20, 160, 80, groundY - 160);
rect(130, 90, 70, groundY - 90);
rect(230, 200, 120, groundY - 200);
fill("gold");
rect(35, 180, windowSize, windowSize);
rect(65, 180, windowSize, windowSize);
rect(145, 120, windowSize, windowSize);
rect(170, 120, windowSize, windowSize);

// characters stand on the ground
var hero = createSprite(90, groundY);
hero.setAnimation("bat_hero");
hero.scale = 0.6;
var taxi = createSprite(290, groundY + 20);
taxi.setAnimation("taxi");
taxi.scale = 0.5;
drawSprites();

fill("white");
textSize(28);
text("Night Shift", 125, 40);
textSize(14);
text("a scene in " + 400 + " by " + 400, 10, 392);
