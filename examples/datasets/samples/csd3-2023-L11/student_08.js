// ----- background -----
background("lightblue");
noStroke();
fill("green");
rect(0, 280, 400, 120);      // grass
fill("yellow");
ellipse(40, 40, 90, 90);     // sun in the corner

// ----- characters -----
var dog = createSprite(90, 290);
dog.setAnimation("dog");
dog.scale = 0.5;
var girl = createSprite(210, 260);
girl.setAnimation("girl");
var tree = createSprite(345, 220);
tree.setAnimation("tree");
tree.scale = 1.4;
drawSprites();

// ----- words, on top of everything -----
fill("black");
textSize(24);
text("Walking Biscuit", 120, 30);
textSize(12);
text("by J.", 360, 390);
