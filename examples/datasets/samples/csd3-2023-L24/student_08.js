// Night Owl: a side scroller. Up flies, mice are food, branches end the flight.

// sprites
var far = createSprite(200, 200);
far.setAnimation("forest");
var owl = createSprite(80, 200);
owl.setAnimation("owl_flying");
owl.scale = 0.5;
var mouse = createSprite(440, 360);
mouse.setAnimation("mouse");
mouse.velocityX = -3;
var branch = createSprite(500, 120);
branch.setAnimation("branch");
branch.velocityX = -4;
var star = createSprite(300, 40);
star.setAnimation("star");
star.rotationSpeed = 2;

// numbers that change
var score = 0;
var fallSpeed = 0;
var flying = true;

function draw() {
  if (flying) {
    fall();
    steer();
    comeAgain();
    checkHits();
  }
  drawSprites();
  showScore();
}

// gravity pulls the owl down a little faster each frame
function fall() {
  fallSpeed = fallSpeed + 0.3;
  owl.y = owl.y + fallSpeed;
  if (owl.y > 380) {
    owl.y = 380;
    fallSpeed = 0;
  }
}

function steer() {
  if (keyWentDown("up")) {
    fallSpeed = -6;
  }
}

function comeAgain() {
  if (mouse.x < -20) {
    mouse.x = randomNumber(420, 600);
  }
  if (branch.x < -40) {
    branch.x = 440;
    branch.y = randomNumber(40, 300);
  }
}

function checkHits() {
  if (owl.isTouching(mouse)) {
    score = score + 1;
    mouse.x = randomNumber(420, 600);
  }
  if (owl.isTouching(branch)) {
    flying = false;
    branch.velocityX = 0;
    mouse.velocityX = 0;
  }
}

function showScore() {
  fill("white");
  textSize(20);
  text("Mice: " + score, 10, 25);
  if (!flying) {
    text("The owl is resting.", 110, 200);
  }
}
