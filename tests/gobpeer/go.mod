module gobpeer

go 1.23
