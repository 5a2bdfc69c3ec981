package tracker

type presence struct{}
