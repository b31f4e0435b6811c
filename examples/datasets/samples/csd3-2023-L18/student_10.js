// variables
var ufo = createSprite(200, 60);
ufo.setAnimation("ufo");
var cow = createSprite(200, 340);
cow.setAnimation("cow");
var moon = createSprite(350, 50);
moon.setAnimation("moon");
var beam = 0;

function draw() {
  background("black");
  moveThings();
  checkThings();
  if (beam == 1) {
    fill("lightgreen");
    triangle(200, 80, 150, 340, 250, 340);
  }
  drawSprites();
  text("greetings from Mars", 20, 20);
}

function moveThings() {
  ufo.x = ufo.x + randomNumber(-4, 4);
  moon.rotation = moon.rotation + 1;
  if (beam == 1) {
    cow.y = cow.y - 2;
  }
}

function checkThings() {
  if (keyWentDown("b")) {
    beam = 1;
  }
  if (cow.y < 80) {
    beam = 0;
    cow.y = 340;
  }
}
