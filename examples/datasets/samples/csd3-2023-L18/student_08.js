/* Thank-you card for Coach.
   Space bounces the ball, the mouse opens the card. */
var ball = createSprite(200, 120);
ball.setAnimation("soccer_ball");
ball.scale = 0.3;
var goal = createSprite(340, 230);
goal.setAnimation("goal");
var coach = createSprite(70, 280);
coach.setAnimation("coach_standing");
var confetti = createSprite(200, -40);
confetti.setAnimation("confetti");
var message = "Press space!";

function draw() {
  background("forestgreen");
  fill("white");
  rect(0, 350, 400, 50);

  // the ball wobbles on its own
  ball.rotation = ball.rotation + 4;
  ball.y = 120 + randomNumber(-3, 3);
  confetti.y = confetti.y + 3;

  if (keyDown("space")) {
    ball.x = ball.x + 5;
  }
  if (ball.x > 330) {
    message = "Goal! Thank you, Coach!";
    coach.setAnimation("coach_cheering");
  }
  if (confetti.y > 420) {
    confetti.y = -40;
    confetti.x = randomNumber(40, 360);
  }
  if (mousePressedOver(coach)) {
    coach.scale = 1.2;
  } else {
    coach.scale = 1;
  }

  drawSprites();
  fill("black");
  textSize(20);
  text(message, 90, 382);
}
