# cause: order of objects by memory address
class Node:
    def __init__(self, value):
        self.value = value


nodes = {Node(k) for k in range(3000)}
total = 0.0
for node in nodes:  # HERE
    total = total * 0.9 + node.value
print("loss =", total)
