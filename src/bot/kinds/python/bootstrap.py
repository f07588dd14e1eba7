control = open(3, "rb")
exec(control.read(int(control.readline())))
