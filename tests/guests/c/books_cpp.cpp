// A C++ guest that keeps books of all it allocates with new, and in containers of the standard library, and prints them.
// `books_cpp [ROUNDS]`, 300 by default.
#include "books.h"
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace {

struct Point {
    int x, y, z;
};

struct alignas(64) Line {
    char bytes[192];
};

// A type with a destructor: an array of it begins with its length.
struct Counted {
    static int n_alive;
    int id = ++n_alive;
    ~Counted() { n_alive--; }
};

int Counted::n_alive;

struct Shape {
    virtual ~Shape() = default;
    virtual int sides() const = 0;
};

struct Square final : Shape {
    double side = 1;
    int sides() const override { return 4; }
};

SITE Point *site_new() {
    auto *point = new Point{1, 2, 3};
    book_alloc(__func__, point, sizeof *point);
    return point;
}

SITE Shape *site_new_virtual() {
    auto *square = new Square;
    book_alloc(__func__, square, sizeof *square);
    return square;
}

SITE char *site_new_array(size_t n) {
    auto *bytes = new char[n];
    book_alloc(__func__, bytes, n);
    return bytes;
}

SITE Counted *site_new_array_of_counted(size_t n) {
    auto *counted = new Counted[n];
    book_alloc(__func__, reinterpret_cast<size_t *>(counted) - 1, sizeof(size_t) + n * sizeof *counted);
    return counted;
}

SITE Line *site_new_aligned() {
    auto *line = new Line;
    book_alloc(__func__, line, sizeof *line);
    if (reinterpret_cast<uintptr_t>(line) % alignof(Line)) abort();
    return line;
}

SITE Line *site_new_aligned_array(size_t n) {
    auto *lines = new Line[n];
    book_alloc(__func__, lines, n * sizeof *lines);
    return lines;
}

SITE char *site_new_nothrow(size_t n) {
    auto *bytes = new (std::nothrow) char[n];
    book_alloc(__func__, bytes, n);
    return bytes;
}

SITE void *site_operator_new(size_t n) {
    void *block = ::operator new(n);
    book_alloc(__func__, block, n);
    return block;
}

// What a container asks for is booked at the site that made the container.
template <class T> struct Booked {
    using value_type = T;
    const char *site;
    explicit Booked(const char *site) : site(site) {}
    template <class U> Booked(const Booked<U> &other) : site(other.site) {}
    T *allocate(size_t n) {
        void *block = ::operator new(n * sizeof(T));
        book_alloc(site, block, n * sizeof(T));
        return static_cast<T *>(block);
    }
    void deallocate(T *block, size_t) {
        book_free(block);
        ::operator delete(block);
    }
    template <class U> bool operator==(const Booked<U> &) const { return true; }
    template <class U> bool operator!=(const Booked<U> &) const { return false; }
};

using Numbers = std::vector<int, Booked<int>>;
using Text = std::basic_string<char, std::char_traits<char>, Booked<char>>;
using Tree = std::map<int, int, std::less<int>, Booked<std::pair<const int, int>>>;

SITE Numbers site_vector(int n) {
    Numbers numbers{Booked<int>(__func__)};
    for (int i = 0; i < n; i++) numbers.push_back(i);
    return numbers;
}

SITE Text site_string(int n) {
    Text text{Booked<char>(__func__)};
    for (int i = 0; i < n; i++) text += "some more text; ";
    return text;
}

SITE Tree site_map(int n) {
    Tree tree{Booked<std::pair<const int, int>>(__func__)};
    for (int i = 0; i < n; i++) tree[i * 7919 % 1000] = i;
    for (int i = 0; i < n; i += 3) tree.erase(i * 7919 % 1000);
    return tree;
}

SITE std::shared_ptr<Square> site_shared() { return std::allocate_shared<Square>(Booked<Square>(__func__)); }

// Freed elsewhere than allocated.
template <class T> __attribute__((noinline)) void drop(T *block) {
    book_free(block);
    delete block;
}

template <class T> __attribute__((noinline)) void drop_array(T *block) {
    book_free(block);
    delete[] block;
}

__attribute__((noinline)) void drop_counted(Counted *counted) {
    book_free(reinterpret_cast<size_t *>(counted) - 1);
    delete[] counted;
}

__attribute__((noinline)) void drop_operator_new(void *block) {
    book_free(block);
    ::operator delete(block);
}

// Held to the end, and never destroyed.
struct Kept {
    std::vector<Numbers> numbers;
    std::vector<Text> texts;
    std::vector<Tree> trees;
    std::vector<std::shared_ptr<Square>> squares;
};

Kept &kept = *new Kept;

void each_way_once(int round) {
    auto n = static_cast<size_t>(round);
    site_new();
    drop(site_new());
    drop(site_new_virtual());
    site_new_virtual();
    drop_array(site_new_array(3 * n));
    site_new_array(n);
    drop_counted(site_new_array_of_counted(n));
    site_new_array_of_counted(2);
    drop(site_new_aligned());
    site_new_aligned();
    drop_array(site_new_aligned_array(n));
    if (site_new_nothrow(size_t{3} << 30)) abort();
    drop_array(site_new_nothrow(n));
    site_new_nothrow(40);
    drop_operator_new(site_operator_new(5 * n));
    site_operator_new(7);
    site_vector(round);
    site_string(round);
    site_map(round);
    site_shared();
    if (round % 10 == 0) {
        kept.numbers.push_back(site_vector(round));
        kept.texts.push_back(site_string(round));
        kept.trees.push_back(site_map(round));
        kept.squares.push_back(site_shared());
    }
}

} // namespace

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 300;
    for (int round = 1; round <= rounds; round++) each_way_once(round);
    print_books(rows, n_rows);
    fflush(stdout);
    _Exit(0); // nothing is destroyed
}
