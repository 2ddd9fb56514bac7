from kubernetes import client, watch

for event in watch.Watch().stream(client.CoreV1Api().list_namespace):
    print(event["object"].metadata.name)
