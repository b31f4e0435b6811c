var car = createSprite(100,330)
car.setAnimation("car")
var cone = createSprite(500,340)
cone.setAnimation("cone")
cone.velocityX = -4
var sun = createSprite(350,50)
sun.setAnimation("sun")
var road
function draw() {
  background("lightblue")
  fill("gray")
  rect(0,350,400,50)
  if(cone.x<0) cone.x = 500
  if(car.isTouching(cone)) {
    car.setAnimation("car_broken")
  }
  drawSprites()
}
