"""The storm: a real service under faults at random, and what it has to show for it in the end.

    cd tests && python -m storm --documents 2000 --faults 200 --seed 1

Daemon, workers and a Redis without persistence are killed, stopped, flushed and filled up while
documents are dropped; whatever dies is started again, as a service manager would. In the end
only the folders are asked: nothing may be missing, and nothing may be there twice.
"""
