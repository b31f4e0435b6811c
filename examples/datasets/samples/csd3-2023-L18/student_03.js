background("pink");
text("Happy Birthday Grandma", 100, 200);
