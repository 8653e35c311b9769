"""Write the case's sample data: questions about a small shop's tables, and the SQL that answers each.

    python -m control_plane.cases.sql_questions.generate [FOLDER]

The same seed gives the same bytes. Training and test rows ask in other sentences and for other towns, products,
categories and numbers. `tables()` is the SQL that makes and fills the tables; it stands in case.toml, since the check
runs both queries on it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from control_plane.cases import generating

SEED = 20260104
TRAIN_ROWS = 360
TEST_ROWS = 64

TOWNS = (("Berlin", "Lyon", "Prague", "Porto", "Oslo", "Graz", "Turin", "Gdansk"), ("Ghent", "Brno", "Cork", "Bern"))
PEOPLE = (
    "Ada", "Boris", "Carla", "Dilan", "Emil", "Fatma", "Greta", "Hugo", "Ines", "Jonas", "Kim", "Lena", "Mateo",
    "Nora", "Oskar", "Paula", "Rosa", "Sven", "Tara", "Yusuf",
)  # fmt: skip
PRODUCTS = {
    "lamps": ("desk lamp", "floor lamp", "lantern"),
    "chairs": ("armchair", "stool", "bench"),
    "tools": ("hammer", "saw", "drill"),
    "textiles": ("curtain", "blanket", "rug"),
    "paper": ("notebook", "envelope", "poster"),
    "kitchen": ("kettle", "pan", "bowl"),
    "garden": ("rake", "hose", "shovel"),
}
CATEGORIES = (("lamps", "chairs", "tools", "textiles"), ("paper", "kitchen", "garden"))
NAMED = tuple([name for names in PRODUCTS.values() for name in names[start:end]] for start, end in ((1, 3), (0, 1)))
PRICES = ((20, 25, 40, 60, 80), (30, 35, 50, 70))
YEARS = ((2018, 2020, 2022), (2019, 2021, 2023))
COUNTS = ((1, 3), (2, 4))
SCHEMA = (
    "customers(id, name, town, since), products(id, name, category, price), "
    "orders(id, customer_id, product_id, quantity, year)"
)
ASKED = "Write one SQL query for SQLite. Tables: " + SCHEMA + ". Question: "


@dataclass(frozen=True)
class Kind:
    """A kind of question: its SQL, and its wordings in training and in the test part."""

    sql: str
    wordings: tuple[tuple[str, ...], tuple[str, ...]]


KINDS = (
    Kind(
        "SELECT count(*) FROM customers WHERE town = '{town}'",
        (
            (
                "How many customers live in {town}?",
                "Number of customers from {town}?",
                "Tell me how many customers we have in {town}.",
            ),
            ("Count our customers in {town}.", "What is the number of people in {town} who buy from us?"),
        ),
    ),
    Kind(
        "SELECT name FROM customers WHERE town = '{town}'",
        (
            (
                "Which customers live in {town}?",
                "List the names of the customers in {town}.",
                "Show everybody from {town}.",
            ),
            ("Who among our customers is from {town}?", "Names of all buyers who live in {town}, please."),
        ),
    ),
    Kind(
        "SELECT name FROM customers WHERE since < {year}",
        (
            (
                "Which customers have been with us since before {year}?",
                "Names of customers who came before {year}?",
                "Who was already a customer before {year}?",
            ),
            ("Who became a customer earlier than {year}?", "Show the names of those who joined before {year}."),
        ),
    ),
    Kind(
        "SELECT name FROM products WHERE category = '{category}'",
        (
            (
                "Which products are in the category {category}?",
                "List all products of the category {category}.",
                "Show the names of our {category}.",
            ),
            ("What do we sell under {category}?", "Names of everything that belongs to {category}."),
        ),
    ),
    Kind(
        "SELECT name, price FROM products WHERE price > {price}",
        (
            (
                "Name and price of the products that cost more than {price}?",
                "Which products cost over {price}? Show name and price.",
                "List what is more expensive than {price}, with prices.",
            ),
            ("Give me name and price of everything dearer than {price}.", "Products above {price} with their prices?"),
        ),
    ),
    Kind(
        "SELECT name, price FROM products WHERE price < {price}",
        (
            (
                "Name and price of the products that cost less than {price}?",
                "Which products cost under {price}? Show name and price.",
                "List what is less expensive than {price}, with prices.",
            ),
            ("Give me name and price of everything cheaper than {price}.", "Products below {price} with their prices?"),
        ),
    ),
    Kind(
        "SELECT avg(price) FROM products WHERE category = '{category}'",
        (
            (
                "What is the average price in the category {category}?",
                "Average price of {category}?",
                "Compute the average price of all {category}.",
            ),
            ("How much does a product of {category} cost on average?", "Mean price within {category}?"),
        ),
    ),
    Kind(
        "SELECT name FROM products WHERE category = '{category}' ORDER BY price DESC LIMIT 1",
        (
            (
                "What is the most expensive product in {category}?",
                "Name the dearest product of the category {category}.",
                "Which of our {category} is the most expensive?",
            ),
            ("Which product of {category} has the highest price?", "In {category}, what costs the most?"),
        ),
    ),
    Kind(
        "SELECT sum(o.quantity) FROM orders o JOIN products p ON p.id = o.product_id WHERE p.name = '{product}'",
        (
            (
                "How many pieces of the {product} were ordered in all?",
                "Total quantity ordered of the {product}?",
                "Sum of the quantities ordered of the {product}?",
            ),
            ("What quantity of the {product} have we sold so far?", "Add up the ordered pieces of the {product}."),
        ),
    ),
    Kind(
        "SELECT sum(o.quantity * p.price) FROM orders o JOIN products p ON p.id = o.product_id "
        "WHERE p.category = '{category}'",
        (
            (
                "What is the revenue of the category {category}?",
                "How much money did the orders of {category} bring?",
                "Compute the total revenue from {category}.",
            ),
            ("Total turnover with {category}?", "What have we earned with {category} altogether?"),
        ),
    ),
    Kind(
        "SELECT DISTINCT c.name FROM customers c JOIN orders o ON o.customer_id = c.id "
        "JOIN products p ON p.id = o.product_id WHERE p.name = '{product}'",
        (
            (
                "Which customers ordered the {product}?",
                "Names of the customers who bought the {product}?",
                "Show each customer who ordered a {product} once.",
            ),
            ("Who has ever ordered the {product}?", "List everybody who bought a {product}, each once."),
        ),
    ),
    Kind(
        "SELECT c.name, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id "
        "WHERE c.town = '{town}' GROUP BY c.id",  # those without orders, too
        (
            (
                "How many orders does each customer from {town} have?",
                "For each customer in {town}: name and number of orders.",
                "Count the orders of every customer who lives in {town}.",
            ),
            ("Show per customer from {town} how often they ordered.", "Order count of every buyer in {town}, by name."),
        ),
    ),
    Kind(
        "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id HAVING count(*) > {count}",
        (
            (
                "Which customers have more than {count} orders?",
                "Names of customers who ordered more than {count} times?",
                "List customers with an order count above {count}.",
            ),
            ("Who has placed over {count} orders?", "Names of those whose orders number more than {count}?"),
        ),
    ),
    Kind(
        "SELECT count(*) FROM orders WHERE year = {year}",
        (
            (
                "How many orders were there in {year}?",
                "Number of orders of the year {year}?",
                "How many times did people order in {year}?",
            ),
            ("Count the orders that came in during {year}.", "What was the number of purchases in {year}?"),
        ),
    ),
)


def tables() -> str:
    """The SQL that makes the tables and fills them."""
    source = random.Random(SEED + 1)
    towns = [town for part in TOWNS for town in part]
    homes = [town for count, town in enumerate(towns, 2) for _ in range(count)]  # no two towns have as many customers
    customers = [
        (
            number,
            f"{PEOPLE[number % len(PEOPLE)]} {chr(ord('A') + number // len(PEOPLE))}.",
            town,
            source.randint(2016, 2023),
        )
        for number, town in enumerate(homes, 1)
    ]
    named = [(category, name) for category, names in PRODUCTS.items() for name in names]
    prices = source.sample(range(3, 90), len(named))
    products = [
        (number, name, category, price + 0.5)
        for number, ((category, name), price) in enumerate(zip(named, prices, strict=True), 1)
    ]
    orders = [  # not every customer has ordered yet
        (number, source.randint(1, len(customers)), source.randint(1, len(products)), source.randint(1, 40), year)
        for number, year in enumerate(source.choices(range(2018, 2024), [5, 6, 7, 8, 9, 10], k=170), 1)
    ]
    return "\n".join(
        (
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, town TEXT, since INTEGER);",
            "CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, category TEXT, price REAL);",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),",
            "  product_id INTEGER REFERENCES products(id), quantity INTEGER, year INTEGER);",
            *_filled("customers", customers),
            *_filled("products", products),
            *_filled("orders", orders),
        )
    )


def _filled(table: str, content: list[tuple[object, ...]]) -> Iterator[str]:
    said = [f"({', '.join(map(repr, one))})" for one in content]
    for start in range(0, len(said), 8):
        yield f"INSERT INTO {table} VALUES {', '.join(said[start : start + 8])};"


def every(held_out: int) -> Iterator[dict[str, str]]:
    """Each question of a part that its wordings and values give."""
    for kind in KINDS:
        for wording in kind.wordings[held_out]:
            for value in _values(wording, held_out):
                yield {"prompt": ASKED + wording.format(**value), "completion": kind.sql.format(**value)}


def _values(wording: str, held_out: int) -> list[dict[str, object]]:
    """What can stand in a wording's place."""
    known = {"town": TOWNS, "category": CATEGORIES, "product": NAMED, "price": PRICES, "year": YEARS, "count": COUNTS}
    (name,) = (one for one in known if f"{{{one}}}" in wording)
    return [{name: value} for value in known[name][held_out]]


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder."""
    source = random.Random(SEED)
    for name, count, held_out in (("train", TRAIN_ROWS, 0), ("test", TEST_ROWS, 1)):
        content = list(every(held_out))
        source.shuffle(content)
        generating.write_rows(folder / f"{name}.jsonl", content[:count])


if __name__ == "__main__":
    generating.run(write, __file__)
