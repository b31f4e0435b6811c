background("white"
rect(20, 20, 100, 60);
ellipse(200 200, 50, 50);
var robot = createSprite(300, 300);
robot.setAnimation("robot");
drawSprites();
text("robot town" 40, 350);
