"""Jobs on a cluster: the commands that speak with an API server.

target      what a person named: a job on the cluster, or a run in a store                       [pure]
access      kubeconfig, context and namespace of a command line → Api                            [effects]
api         one request, one answer: plain JSON or a stream of lines                             [effects]
refusals    what an answer that is no object means, in one line                                  [pure]
jobs        the requests that commands make, with what to say where a job is not there           [effects]
following   a job as it changes, through restarts of the API server
reading     a job's status as the Report that the summary and the screens take                   [pure]
words       where a job stands, and what a person can do about it                                [pure]
edits       stop, suspend, resume, retry: the patch, or why not                                  [pure]
submission  a manifest as the objects that are sent
store       where a job keeps its run, and what reads it where this machine cannot               [effects]
driver_log  what a driver prints, from the pods that follow it
"""
