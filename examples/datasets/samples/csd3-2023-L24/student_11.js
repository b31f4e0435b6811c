const horse = createSprite(90, 300);
horse.setAnimation("horse");
const fence = createSprite(480, 320);
fence.setAnimation("fence");
fence.velocityX = -5;
const flag = createSprite(900, 300);
flag.setAnimation("flag");
flag.velocityX = -1;

const jump = () => {
  if (keyWentDown("space") && horse.y >= 300) {
    horse.velocityY = -10;
  }
};

function draw() {
  background(`lightblue`);
  jump();
  horse.velocityY = horse.y < 300 ? horse.velocityY + 0.5 : Math.min(horse.velocityY, 0);
  for (const thing of [fence, flag]) {
    if (thing.x < -50) thing.x = 450;
  }
  drawSprites();
}
