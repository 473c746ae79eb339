// A Go guest that allocates in every way that Go's allocator knows, and prints what its own heap profile says of each site:
// `memprofile [ROUNDS]`, 20 by default, 90 at most. A site is a function main.site…; the innermost one on a stack has the block.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

// Every block is to be recorded, from before the first of ours.
var _ = func() int { runtime.MemProfileRate = 1; return 0 }()

// What goes here is allocated on the heap; what is put into kept stays.
var (
	sink    any
	bytes   []byte
	text    string
	pointer *int
	kept    []any
)

type node struct {
	next  *node
	value int
}

type wide struct {
	links [80]*int // more than 512 bytes, with pointers: the block has a header
}

//go:noinline
func siteTiny(n int) {
	for i := 0; i < n; i++ {
		sink = new(int8)
		pointer = new(int)
		sink = new([3]byte)
	}
}

//go:noinline
func siteNoPointers(n int) {
	for size := 1; size <= n; size += 7 {
		bytes = make([]byte, size)
	}
}

//go:noinline
func sitePointers(n int) (list *node) {
	for i := 0; i < n; i++ {
		list = &node{list, i}
	}
	return list
}

//go:noinline
func sitePointerSlices(n int) {
	for i := 1; i < n; i++ {
		sink = make([]*int, i)
	}
}

//go:noinline
func siteWide(n int) {
	for i := 0; i < n; i++ {
		sink = new(wide)
	}
}

//go:noinline
func siteLarge() {
	bytes = make([]byte, 40_000)
	bytes = make([]byte, 1_000_001)
	sink = make([]*int, 9_000)
}

//go:noinline
func siteAppend(n int) (numbers []int) {
	for i := 0; i < n; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}

//go:noinline
func siteMap(n int) map[string]int {
	words := map[string]int{}
	for i := 0; i < n; i++ {
		words[strconv.Itoa(1000*i)] = i
	}
	return words
}

//go:noinline
func siteConcat(n int) {
	text = ""
	for i := 0; i < n; i++ {
		text += "some more; "
	}
}

//go:noinline
func siteBuilder(n int) {
	var builder strings.Builder
	for i := 0; i < n; i++ {
		builder.WriteString("some more; ")
	}
	text = builder.String() + strings.Repeat("x", n)
}

//go:noinline
func siteBoxed(n int) {
	for i := 0; i < n; i++ {
		sink = 1000 + i
		sink = strconv.IntSize + float64(i)
		sink = [5]int{i}
	}
}

//go:noinline
func siteConverted(n int) {
	for i := 1; i < n; i++ {
		bytes = []byte(text[:i%len(text)])
		sink = []rune(string(bytes))
	}
}

//go:noinline
func siteClosure(n int) (sum func() int) {
	sum = func() int { return n }
	for i := 0; i < n; i++ {
		before := sum
		sum = func() int { return before() + i }
	}
	return sum
}

//go:noinline
func siteChannel(n int) chan [10]int { return make(chan [10]int, n) }

//go:noinline
func siteNothing(n int) {
	for i := 0; i < n; i++ {
		sink = new(struct{})
		bytes = make([]byte, 0)
	}
}

//go:noinline
func siteRecursive(depth int) {
	if depth > 0 {
		siteRecursive(depth - 1)
		return
	}
	sink = new([20]int)
}

// A goroutine begins with a small stack, which grows on the way down.
//
//go:noinline
func siteDeep(depth int) int {
	var room [100]int
	if depth > 0 {
		room[depth] = siteDeep(depth - 1)
	}
	sink = new([30]int)
	return room[depth] + 1
}

// At some depth it is the allocator for which the stack of a new goroutine has to grow.
//
//go:noinline
func siteFresh(depth int) int {
	if depth > 0 {
		return siteFresh(depth-1) + 1
	}
	sink = new([20]int)
	return 0
}

// Gives way between its allocations, so that it goes on with less of its callers on the machine's stack.
//
//go:noinline
func siteYields(n int, done chan<- int) {
	for i := 0; i < n; i++ {
		sink = new([7]*int)
		runtime.Gosched()
		bytes = make([]byte, 100*i)
		done <- i
		pointer = new(int)
		sink = pointer
	}
}

//go:noinline
func siteReceives(n int, done <-chan int) {
	for i := 0; i < n; i++ {
		<-done
		sink = new(node)
	}
}

func goroutines(n int) {
	finished := make(chan bool)
	for depth := 0; depth < 20; depth++ {
		go func() {
			siteFresh(20*n + depth)
			finished <- true
		}()
		<-finished
	}
	for worker := 0; worker < 3; worker++ {
		go func() {
			done := make(chan int)
			go siteYields(n, done)
			siteReceives(n, done)
			siteDeep(n)
			finished <- true
		}()
	}
	for worker := 0; worker < 3; worker++ {
		<-finished
	}
}

func main() {
	rounds := 20
	if len(os.Args) > 1 {
		if n, err := strconv.Atoi(os.Args[1]); err == nil {
			rounds = n
		}
	}
	for round := 1; round <= rounds; round++ {
		siteTiny(10 * round)
		siteNoPointers(3000)
		kept = append(kept, sitePointers(20*round))
		sitePointerSlices(10 * round)
		siteWide(round)
		siteLarge()
		kept = append(kept, siteAppend(100*round))
		kept = append(kept, siteMap(10*round))
		siteConcat(round)
		siteConverted(round)
		siteBuilder(10 * round)
		siteBoxed(10 * round)
		kept = append(kept, siteClosure(round))
		sink = siteChannel(round)
		siteNothing(round)
		siteRecursive(round)
		goroutines(round)
		if round%5 == 0 {
			runtime.GC()
		}
	}
	printProfile()
}

func printProfile() {
	// Blocks appear in the profile two collections after they were allocated.
	for i := 0; i < 3; i++ {
		runtime.GC()
	}
	var records []runtime.MemProfileRecord
	for n, ok := runtime.MemProfile(nil, true); !ok; n, ok = runtime.MemProfile(records, true) {
		records = make([]runtime.MemProfileRecord, n+100)
	}
	sites := map[string]*runtime.MemProfileRecord{}
	for i := range records {
		name := innermost(records[i].Stack())
		sum := sites[name]
		if sum == nil {
			sum = &runtime.MemProfileRecord{}
			sites[name] = sum
		}
		sum.AllocObjects += records[i].AllocObjects
		sum.AllocBytes += records[i].AllocBytes
		sum.FreeObjects += records[i].FreeObjects
		sum.FreeBytes += records[i].FreeBytes
	}
	delete(sites, "")
	names := make([]string, 0, len(sites))
	for name := range sites {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		sum := sites[name]
		fmt.Println("site", name, sum.AllocObjects, sum.AllocBytes, sum.InUseObjects(), sum.InUseBytes())
	}
}

// The innermost site of a stack, without "main.".
func innermost(stack []uintptr) string {
	frames := runtime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "main.site") {
			name, _, _ := strings.Cut(strings.TrimPrefix(frame.Function, "main."), ".")
			return name
		}
		if !more {
			return ""
		}
	}
}
