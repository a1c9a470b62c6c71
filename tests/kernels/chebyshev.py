"""How the polynomials in the kernels were made."""

import mpmath

DIGITS = 60


def interpolate(function, top, n_terms, dtype):
    """Return the coefficients through n Chebyshev points of [0, top], rounded once."""
    with mpmath.workdps(DIGITS):
        points = [
            top * (1 + mpmath.cos((2 * i + 1) * mpmath.pi / (2 * n_terms))) / 2
            for i in range(n_terms)
        ]
        powers = mpmath.matrix(n_terms, n_terms)
        for i, point in enumerate(points):
            for j in range(n_terms):
                powers[i, j] = point**j
        values = mpmath.matrix([function(point) for point in points])
        solved = mpmath.lu_solve(powers, values)
        return tuple(float(dtype.type(float(one))) for one in solved)


def largest_relative_error(coefficients, function, top, n_points=400):
    """Return how far the polynomial as it was rounded is from the function."""
    with mpmath.workdps(DIGITS):
        exact = [mpmath.mpf(one) for one in coefficients]
        points = [top * (i + 1) / n_points for i in range(n_points)]
        return max(
            float(abs(_polynomial(exact, point) / function(point) - 1))
            for point in points
        )


def _polynomial(coefficients, x):
    return mpmath.fsum(one * x**power for power, one in enumerate(coefficients))


def as_numbers(coefficients, dtype):
    """Return literals as the numbers of the type that they stand for."""
    return tuple(float(dtype.type(one)) for one in coefficients)
