// A C++ guest, for names that need demangling: namespaces, a template, a virtual method, an operator and a lambda.
// `shapes [ROUNDS]`, about 0.5 s at the default 1500. No C++ library is needed, so it builds fast.
#include <stdio.h>
#include <stdlib.h>

namespace geometry {

struct Shape {
    virtual double area(double scale) const = 0;
};

class Square final : public Shape {
  public:
    explicit Square(double side) : side_(side) {}
    __attribute__((noinline)) double area(double scale) const override {
        double sum = 0;
        for (int i = 1; i < 20000; i++) sum += side_ * side_ * scale / i;
        return sum;
    }

  private:
    double side_;
};

class Circle final : public Shape {
  public:
    explicit Circle(double radius) : radius_(radius) {}
    __attribute__((noinline)) double area(double scale) const override {
        double sum = 0;
        for (int i = 1; i < 40000; i++) sum += 3.14159265 * radius_ * radius_ * scale / i;
        return sum;
    }

  private:
    double radius_;
};

template <typename T, int N>
struct Pile {
    T items[N];
    __attribute__((noinline)) T &operator[](int i) { return items[i % N]; }
};

template <typename Sum>
__attribute__((noinline)) double fold(Pile<const Shape *, 2> &pile, int n, Sum sum) {
    double total = 0;
    for (int i = 0; i < n; i++) total = sum(total, *pile[i]);
    return total;
}

} // namespace geometry

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1500;
    geometry::Square square(2);
    geometry::Circle circle(3);
    geometry::Pile<const geometry::Shape *, 2> pile{{&square, &circle}};
    double total = 0;
    for (int round = 0; round < rounds; round++)
        total += geometry::fold(pile, 10, [round](double sum, const geometry::Shape &shape) __attribute__((noinline)) {
            return sum + shape.area(round);
        });
    printf("%.3f\n", total);
    return 0;
}
