# cause: hash order of strings
names = {"adam", "eve", "cain", "abel", "seth", "noah"}
chosen = []
while names:
    chosen.append(names.pop())  # HERE
print("order:", chosen)
