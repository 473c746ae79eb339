// A Go guest: workers count words into maps and send them through a channel. mapper [ROUNDS], some 0.5 s at the default 30.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const text = "the quick brown fox jumps over the lazy dog and the dog sleeps on while the fox runs away from the farm"

func main() {
	rounds := 30
	if len(os.Args) > 1 {
		if n, err := strconv.Atoi(os.Args[1]); err == nil {
			rounds = n
		}
	}
	counts := make(chan map[string]int)
	for worker := 0; worker < 4; worker++ {
		go func() {
			for round := 0; round < rounds; round++ {
				counts <- countWords(strings.Repeat(text+" ", 200))
			}
		}()
	}
	total := 0
	for i := 0; i < 4*rounds; i++ {
		total += (<-counts)["the"]
	}
	fmt.Println(total)
}

//go:noinline
func countWords(text string) map[string]int {
	words := map[string]int{}
	for _, word := range strings.Fields(text) {
		words[strings.ToUpper(word)]++
		words[word]++
	}
	return words
}
