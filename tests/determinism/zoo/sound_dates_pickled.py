# cause: none
import pickle
from datetime import datetime
from multiprocessing import Pool


def year(day):
    return day.year


if __name__ == "__main__":
    days = [
        datetime(2020, 1, 1),
        datetime.strptime("2021-03-04", "%Y-%m-%d"),
        pickle.loads(pickle.dumps(datetime(2022, 5, 6))),
    ]
    with Pool(1) as pool:
        print(pool.map(year, days), isinstance(days[0], datetime))
