module github.com/segedge/segedge

go 1.26.0
