kubectl run x --image=alpine --privileged
