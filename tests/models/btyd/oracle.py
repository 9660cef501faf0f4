"""Other ways to the same numbers: the papers' hypergeometric functions, counts, simulation."""

import numpy as np
from scipy.special import betaln, gammaln, hyp2f1

from models.btyd import BGNBD, MBGNBD, Customers, ParetoNBD

BG = BGNBD(0.2426, 4.4136, 0.7929, 2.4259)
MBG = MBGNBD(0.525, 6.183, 0.891, 1.614)
PARETO = ParetoNBD(0.5533, 10.578, 0.6063, 11.669)
MODELS = {"bgnbd": BG, "mbgnbd": MBG, "pareto": PARETO}


def one(frequency, recency, age):
    return Customers.of([frequency], [recency], [age])


def some(n=200, seed=0, longest=50.0):
    """Customers of every sort: never back, once, often; recency from next to nothing to age."""
    rng = np.random.default_rng(seed)
    frequency = rng.integers(0, 12, n).astype(float)
    age = rng.uniform(0.1, longest, n)
    return Customers.of(frequency, np.where(frequency > 0, rng.uniform(0, 1, n) * age, 0), age)


def bg_expected(model, customers, horizon):
    """Equation 10 of Fader, Hardie and Lee (2005)."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    x, tx, age = customers
    z = horizon / (alpha + age + horizon)
    top = (a + b + x - 1) / (a - 1)
    top = top * (1 - (1 - z) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z))
    gone = np.where(x > 0, a / (b + x - 1), 0) * ((alpha + age) / (alpha + tx)) ** (r + x)
    return top / (1 + gone)


def pareto_log_likelihood(model, customers):
    """Equation 18 of Fader and Hardie (2005), the difference of two hypergeometric functions."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    x, tx, age = customers
    k = r + s + x
    low, high = min(alpha, beta), max(alpha, beta)
    second = s + 1 if alpha >= beta else r + x

    def part(at):
        return hyp2f1(k, second, k + 1, (high - low) / (high + at)) / (high + at) ** k

    inner = 1 / ((alpha + age) ** (r + x) * (beta + age) ** s) + s / k * (part(tx) - part(age))
    outer = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return outer + np.log(inner)


def bg_log_likelihood(model, customers, early):
    """Both papers' likelihoods as they print them, every factor by itself."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    x, tx, age = customers
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    stayed = np.exp(betaln(a, b + x + early)) * (alpha + age) ** -(r + x)
    left = np.exp(betaln(a + 1, np.maximum(b + x + early - 1, 1e-9))) * (alpha + tx) ** -(r + x)
    return common + np.log(stayed + np.where(x + early > 0, left, 0))


def chances(model, age, most=150, points=60):
    """The chance of 0, 1, 2 … repeat orders until `age`, from the likelihood alone.

    Of x orders, all but the last may be anywhere before it: tx^(x - 1) / (x - 1)! orderings.
    """
    nodes, weights = np.polynomial.legendre.leggauss(points)
    tx = age * (1 + nodes) / 2
    out = [np.exp(model.log_likelihood(one(0, 0, age))[0])]
    for x in range(1, most):
        customers = Customers.of(np.full(points, float(x)), tx, np.full(points, age))
        log = model.log_likelihood(customers) + (x - 1) * np.log(tx) - gammaln(x)
        out.append(float(np.exp(log) @ weights * age / 2))
    return np.array(out)


def simulate(model, ages, rng, early=None):
    """Customers as the model's own story makes them, first order at 0, seen until `ages`."""
    n = len(ages)
    rate = rng.gamma(model.r, 1 / model.alpha, n)
    if isinstance(model, ParetoNBD):
        end = rng.exponential(1 / rng.gamma(model.s, 1 / model.beta, n))
        leaving = np.zeros(n)
    else:
        end, leaving = np.full(n, np.inf), rng.beta(model.a, model.b, n)
    first = isinstance(model, MBGNBD) if early is None else early
    frequency, recency = np.zeros(n), np.zeros(n)
    there = rng.random(n) >= leaving if first else np.ones(n, bool)
    now = np.zeros(n)
    while there.any():
        now = now + rng.exponential(1 / rate)
        there &= (now <= ages) & (now <= end)
        frequency += there
        recency[there] = now[there]
        there &= rng.random(n) >= leaving
    return Customers(frequency, recency, np.asarray(ages, float))


def future(model, customers, horizon, lead, rng, rounds):
    """Orders in (lead, lead + horizon] of one customer, drawn from what is known of them."""
    x, age = customers.frequency[0], customers.age[0]
    alive = rng.random(rounds) < model.alive(customers)[0]
    rate = rng.gamma(model.r + x, 1 / (model.alpha + age), rounds)
    end, leaving = np.full(rounds, np.inf), np.zeros(rounds)
    if isinstance(model, ParetoNBD):
        end = rng.exponential(1 / rng.gamma(model.s, 1 / (model.beta + age), rounds))
    else:
        leaving = rng.beta(model.a, model.b + x + isinstance(model, MBGNBD), rounds)
    now, count = np.zeros(rounds), np.zeros(rounds)
    while alive.any():
        now = now + rng.exponential(1 / rate)
        alive &= (now <= lead + horizon) & (now <= end)
        count += alive & (now > lead)
        alive &= rng.random(rounds) >= leaving
    return count
