# cause: order of objects by memory address
class Node:
    def __init__(self, value):
        self.value = value


junk = [bytearray(k * 37) for k in range(200)]
nodes = {Node(k) for k in range(40)}
total = 0.0
for node in nodes:  # HERE
    total = total * 0.9 + node.value
print("loss =", total)
