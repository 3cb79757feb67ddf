"""Welch's spectra, spectrograms and Morlet wavelets of one signal, by SciPy and pynapple, a name and
numbers on each line: those of `crates/nemos-timeseries/tests/timeseries/spectra.rs`.

    python tests/interop/spectra.py crates/nemos-timeseries/tests/spectra.txt
"""

import sys
import warnings

import numpy as np
import pynapple as nap
import scipy
from scipy import signal as s

warnings.filterwarnings("ignore")
k=np.arange(1200); x=3*np.sin(0.21*k)+np.cos(0.05*k*k/40)+(k*k%17)/8.-1
fs=100.
out=dict(source="numpy, scipy.signal and pynapple; x[k] = 3 sin(0.21 k) + cos(0.05 k²/40) + (k² mod 17)/8 − 1, 100 Hz")
out['versions']=dict(scipy=scipy.__version__,pynapple=nap.__version__,numpy=np.__version__)
cases=[]
for n,share,w,name in [(256,.5,'hann','Hann'),(101,.25,'hamming','Hamming'),(300,0.,'blackman','Blackman'),(1200,.5,'boxcar','Boxcar'),(128,.125,('tukey',.25),'Tukey')]:
    f,p=s.welch(x,fs,window=w,nperseg=n,noverlap=int(share*n))
    f2,t,g=s.spectrogram(x,fs,window=w,nperseg=n,noverlap=int(share*n))
    cases.append(dict(n=n,overlap=share,taper=name,frequencies=f.tolist(),welch=p.tolist(),times=t.tolist(),spectrogram_first=g[:,0].tolist(),spectrogram_last=g[:,-1].tolist()))
out['windows']=cases
sig=nap.Tsd(t=k/fs,d=x)
fr=np.array([2.,5.,11.3,40.])
wv=[]
for gw,wl in [(1.5,1.),(3.,.7)]:
    m=nap.compute_wavelet_transform(sig,fr,fs=fs,gaussian_width=gw,window_length=wl)
    rows=[0,1,37,600,1199]
    wv.append(dict(gaussian_width=gw,window_length=wl,frequencies=fr.tolist(),rows=rows,real=m.values[rows].real.tolist(),imaginary=m.values[rows].imag.tolist()))
out['wavelets']=wv


def flat(value):
    return [number for item in value for number in flat(item)] if isinstance(value, list) else [value]


with open(sys.argv[1], "w") as file:
    for suite in ["windows", "wavelets"]:
        for case in out[suite]:
            print(f"case {suite}", file=file)
            for name, value in case.items():
                print(name, *(item if isinstance(item, str) else repr(float(item)) for item in flat(value)), file=file)
