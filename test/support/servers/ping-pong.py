# Two processes that wake each other: some 100,000 switches a second.
import os

(a, b), (c, d) = os.pipe(), os.pipe()
if os.fork():
    os.write(b, b"x")
    while os.write(b, os.read(c, 1)):
        pass
os.close(b)
while os.write(d, os.read(a, 1)):
    pass
