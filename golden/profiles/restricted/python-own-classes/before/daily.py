from airflow import DAG
from operators.house import Nightly, Task

with DAG("daily"):
    Task(task_id="load", image="registry.example.com/load:1", conf="load.ini")
    Nightly("nightly", "nightly.ini")
