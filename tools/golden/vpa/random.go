package main

// random is mulberry32: small enough to be written twice, here and in the test that reads the table.
type random struct{ state uint32 }

func (r *random) next() uint32 {
	r.state += 0x6D2B79F5
	t := r.state
	t = (t ^ t>>15) * (t | 1)
	t ^= t + (t^t>>7)*(t|61)
	return t ^ t>>14
}

func (r *random) below(n int64) int64 { return int64(r.next()) % n }

func (r *random) oneIn(n int64) bool { return r.below(n) == 0 }

// skewed is from 0 to max, small values being likelier.
func (r *random) skewed(max int64) int64 {
	a, b := r.below(1000), r.below(1000)
	return a * b / 999 * max / 999
}
