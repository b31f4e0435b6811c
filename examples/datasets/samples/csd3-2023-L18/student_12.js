var dragon = createSprite(60, 200);
dragon.setAnimation("dragon");
var knight = createSprite(340, 210);
knight.setAnimation("knight");
var fire = createSprite(-100, 200);
fire.setAnimation("fire");
fire.scale = 0.4;
var hits = 0;

function draw() {
  background(rgb(230, 220, 180));
  fill("brown");
  rect(0, 300, 400, 100);
  dragon.y = dragon.y + randomNumber(-2, 2);

  if (keyDown("up")) {
    knight.y = knight.y - 4;
  } else if (keyDown("down")) {
    knight.y = knight.y + 4;
  }
  if (fire.x < 0) {
    fire.x = dragon.x;
    fire.y = dragon.y;
  } else {
    fire.x = fire.x + 6;
  }
  if (fire.isTouching(knight) && hits < 3) {
    hits = hits + 1;
    fire.x = -100;
  }
  if (hits >= 3) {
    knight.setAnimation("knight_down");
    text("You fought well. Happy Birthday!", 80, 100);
  }
  if (fire.x > 420) {
    fire.x = -100;
  }
  drawSprites();
}
