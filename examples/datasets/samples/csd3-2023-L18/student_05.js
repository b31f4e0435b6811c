var cat = createSprite(50, 200)
var dog = createSprite(350, 200)
cat.setAnimation("cat")
dog.setAnimation("dog")
function draw() {
background("lightgreen")
cat.x = cat.x + 1
dog.x = dog.x - 1
drawSprites()
text("bff", 190, 30)
}
